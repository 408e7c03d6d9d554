import type { ITheme } from "@xterm/xterm";
import type { Theme } from "../state/theme";

const dark: ITheme = {
  background: "#12151c",
  foreground: "#d7dce6",
  cursor: "#5cc8b4",
  cursorAccent: "#12151c",
  selectionBackground: "#35507a",
  selectionInactiveBackground: "#2b3850",
  black: "#262b36",
  red: "#f2777a",
  green: "#8fce7e",
  yellow: "#e6c26a",
  blue: "#7aa7f0",
  magenta: "#c792ea",
  cyan: "#5cc8d0",
  white: "#c9d0dc",
  brightBlack: "#6b7488",
  brightRed: "#ff9a9c",
  brightGreen: "#aee5a0",
  brightYellow: "#f7dc94",
  brightBlue: "#a3c5ff",
  brightMagenta: "#dcb4f7",
  brightCyan: "#8be4ea",
  brightWhite: "#f4f6fb",
};

const light: ITheme = {
  background: "#fcfcfd",
  foreground: "#272d3a",
  cursor: "#0f766e",
  cursorAccent: "#fcfcfd",
  selectionBackground: "#bcd4f7",
  selectionInactiveBackground: "#dbe4f2",
  black: "#272d3a",
  red: "#b4232c",
  green: "#2c7a34",
  yellow: "#8a6100",
  blue: "#1f5fbf",
  magenta: "#8436a8",
  cyan: "#0b7285",
  white: "#6b7384",
  brightBlack: "#596173",
  brightRed: "#d03a43",
  brightGreen: "#3d9246",
  brightYellow: "#a67600",
  brightBlue: "#3b7be0",
  brightMagenta: "#a04fc6",
  brightCyan: "#178ca3",
  brightWhite: "#3a4152",
};

export const themes: Record<Theme, ITheme> = { dark, light };
