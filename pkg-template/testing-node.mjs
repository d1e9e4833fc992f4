import testing from './testing-node.cjs'

export const { compliance, runCompliance, KonserveError } = testing
