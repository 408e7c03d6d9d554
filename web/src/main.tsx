import { render } from "preact";
import { App } from "./app";
import { begin } from "./state/identity";
import "./styles/base.css";
import "./styles/layout.css";
import "./styles/parts.css";
import "./styles/pages.css";
import "./styles/terminal.css";
import "./styles/player.css";

const root = document.getElementById("app");
if (root) render(<App />, root);
void begin();
