import { expect } from "@playwright/test";
import type { WikiServer } from "./server.js";

/** Imports the small space of our own making and gives the address of its page "Garden". */
export async function garden(server: WikiServer): Promise<string> {
  const outcome = await server.cli(["import", "confluence", "../fixtures/import/garden", "--json"]);
  expect(outcome.code, outcome.stderr).toBe(0);
  return "/display/GARDEN/Garden";
}
