// The peer's page: the usual pieces put together in the usual way.

import { schema } from "prosemirror-schema-basic";
import { EditorState } from "prosemirror-state";
import { EditorView } from "prosemirror-view";
import { yCursorPlugin, ySyncPlugin, yUndoPlugin } from "y-prosemirror";
import { WebsocketProvider } from "y-websocket";
import * as Y from "yjs";

const doc = new Y.Doc();
const provider = new WebsocketProvider(new URLSearchParams(location.search).get("server"), "page", doc);
const plugins = [ySyncPlugin(doc.getXmlFragment("default")), yCursorPlugin(provider.awareness), yUndoPlugin()];
const view = new EditorView(document.querySelector("#editor"), { state: EditorState.create({ schema, plugins }) });
view.dom.setAttribute("aria-label", "Page body");
view.dom.setAttribute("role", "textbox");
