// Writes a space export of any size, for the programs beside this file: `node space.mjs FOLDER PAGES [BODY_BYTES]`.
// Anonymous visitors may read it. Page 1 is the home page; every page has eight below it.

import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";

const WORDS = "river meeting page water bridge stone garden harbour lantern evening letter copper winter orchard signal window paper ladder".split(" ");

/** A repeatable stream of words. */
function* words(seed) {
  let state = (seed * 2654435761 + 1) % 4294967296;
  for (;;) {
    state = (state * 1664525 + 1013904223) % 4294967296;
    yield WORDS[Math.floor((state / 4294967296) * WORDS.length)];
  }
}

export function body(seed, bytes) {
  const source = words(seed);
  const parts = [];
  let length = 0;
  for (let paragraph = 0; length < bytes; paragraph++) {
    const line = Array.from({ length: 40 }, () => source.next().value).join(" ");
    const text = paragraph % 6 === 0 ? `<h2>Part ${paragraph / 6 + 1}</h2>` : `<p><strong>${line.slice(0, 12)}</strong> ${line}.</p>`;
    parts.push(text);
    length += text.length;
  }
  return parts.join("\n");
}

export function write(folder, pages, bodyBytes = 2_000) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "exportDescriptor.properties"), "exportType=space\nspaceKey=BENCH\ntimezoneId=UTC\nbuildNumber=9012\n");
  const file = openSync(join(folder, "entities.xml"), "w");
  const at = "2024-05-06 07:08:09.000";
  const plain = (name, value) => `<property name="${name}"><![CDATA[${value}]]></property>\n`;
  const reference = (name, kind, where, id) => `<property name="${name}" class="${kind}" package="com.atlassian.confluence.${where}"><id name="id">${id}</id>\n</property>\n`;
  const object = (kind, where, id, inside) => writeSync(file, `<object class="${kind}" package="com.atlassian.confluence.${where}">\n<id name="id">${id}</id>\n${inside}</object>\n`);
  writeSync(file, '<?xml version="1.0" encoding="UTF-8"?>\n<hibernate-generic datetime="2024-05-06 07:08:09">\n');
  object("Space", "spaces", 500_001, plain("name", "Bench") + plain("key", "BENCH") + reference("homePage", "Page", "pages", 1_000_001));
  object("SpacePermission", "security", 500_002, plain("type", "VIEWSPACE") + reference("space", "Space", "spaces", 500_001));
  for (let number = 1; number <= pages; number++) {
    const id = 1_000_000 + number;
    const parent = number === 1 ? "" : reference("parent", "Page", "pages", 1_000_000 + Math.floor((number - 2) / 8) + 1);
    const dates = `<property name="creationDate">${at}</property>\n<property name="lastModificationDate">${at}</property>\n<property name="version">1</property>\n`;
    object("Page", "pages", id, plain("title", `Page ${number}`) + plain("contentStatus", "current") + dates + reference("space", "Space", "spaces", 500_001) + parent);
    object("BodyContent", "core", 5_000_000 + number, plain("body", body(number, bodyBytes)) + '<property name="bodyType">2</property>\n' + reference("content", "Page", "pages", id));
  }
  writeSync(file, "</hibernate-generic>\n");
  closeSync(file);
}

if (process.argv[1]?.endsWith("space.mjs")) {
  const [folder, pages, bytes] = process.argv.slice(2);
  if (!folder || !pages) {
    console.error("usage: node space.mjs FOLDER PAGES [BODY_BYTES]");
    process.exit(2);
  }
  write(folder, Number(pages), bytes ? Number(bytes) : undefined);
}
