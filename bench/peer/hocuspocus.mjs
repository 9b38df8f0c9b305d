// Hocuspocus as its documentation starts it: `node hocuspocus.mjs PORT [FOLDER]`. With a folder, documents are stored there as it asks for it.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Server } from "@hocuspocus/server";
import * as Y from "yjs";

const [port, folder] = process.argv.slice(2);
const place = (name) => join(folder, `${encodeURIComponent(name)}.yjs`);
const storing = {
  async onLoadDocument({ document, documentName }) {
    if (existsSync(place(documentName))) Y.applyUpdate(document, readFileSync(place(documentName)));
  },
  async onStoreDocument({ document, documentName }) {
    writeFileSync(place(documentName), Y.encodeStateAsUpdate(document));
  },
};
await new Server({ port: Number(port), address: "127.0.0.1", quiet: true, ...(folder ? storing : {}) }).listen();
