/**
 * The compliance suite: what a store promises, tried over a backing of your own. For any test runner, or none.
 */
import type { BackingObject, Config } from './index.js'

/** What the suite is run over. */
export interface ComplianceSubject {
  /**
   * The backing of the place of this name, which is made of lower-case letters, digits and `_`: the same name is the same
   * place, another one another. Nobody else may use it: what is there is deleted. Where a backing has a method
   * `close`, its place is asked for again after that was called. A configuration that names a backend will do, too.
   */
  open(place: string): BackingObject | Config
  /** Whether the stores are those of `konserve/sync`. Default: `false`. */
  sync?: boolean
}

/** One promise, and how to try it. */
export interface ComplianceCase {
  /** The promise, in words joined by `_`. */
  name: string
  /** The capability that the backing does not have and the promise needs: there is nothing to try. */
  skipped?: ComplianceNeed | undefined
  /** Rejects with what was found instead; its `cause` is the error that came of it, if one did. */
  run(): Promise<void>
}

/** A capability that some promises need. Only backings of ours are `ordered`. */
export type ComplianceNeed = 'atomicBatches' | 'shared' | 'sync' | 'ordered'

/** The cases, for a test runner: `for (const { name, skipped, run } of await compliance({ open })) …` */
export function compliance(subject: ComplianceSubject): Promise<ComplianceCase[]>

/** What came of all cases. As a text it tells what was skipped, by which capability, and what failed. */
export interface ComplianceReport {
  passed: string[]
  skipped: { name: string; skipped: ComplianceNeed }[]
  failed: { name: string; error: Error }[]
  toString(): string
}

/** Runs all cases, one after another. */
export function runCompliance(subject: ComplianceSubject): Promise<ComplianceReport>

export { KonserveError } from './index.js'
