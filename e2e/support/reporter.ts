import type { FullResult, Reporter, TestCase } from "@playwright/test/reporter";

/** Closes with one line that `cargo xtask test` counts; a skipped test is a failed one, for nothing may be skipped. */
export default class ClosingLine implements Reporter {
  private readonly tests = new Map<string, TestCase>();

  onTestEnd(test: TestCase): void {
    this.tests.set(test.id, test);
  }

  onEnd(_result: FullResult): void {
    const outcomes = [...this.tests.values()].map((test) => test.outcome());
    const passed = outcomes.filter((outcome) => outcome === "expected").length;
    console.log(`browser tests: ${passed} passed, ${outcomes.length - passed} failed`);
  }
}
