import { compliance, type ComplianceReport, runCompliance } from 'konserve/testing'
import type { BackingObject } from 'konserve'

declare const backing: BackingObject
declare function test(name: string, options: { skip?: string | undefined }, run: () => Promise<void>): void

export async function cases() {
  for (const { name, skipped, run } of await compliance({ open: () => backing, sync: true }))
    test(name, { skip: skipped }, run)
  for (const { skipped } of await compliance({ open: (place) => ({ backend: 'file', path: place }) })) {
    if (skipped === 'shared') continue
    // @ts-expect-error no such capability
    if (skipped === 'streams') continue
  }
}

export async function report(): Promise<string> {
  const report: ComplianceReport = await runCompliance({ open: () => backing })
  const count: number = report.passed.length + report.skipped.length
  const messages: string[] = report.failed.map(({ name, error }) => `${name}: ${error.message}`)
  return `${count} ${messages} ${report}`
}

// @ts-expect-error a function is wanted, since the suite needs many places
export const one = runCompliance({ open: backing })
// @ts-expect-error open is missing
export const none = runCompliance({})
