/**
 * The colours of a theme, each as `#rrggbb`. On each background, every text has a contrast of 4.5:1 and every line one
 * of 3:1 (WCAG AA).
 */
export interface Theme {
  readonly paper: string;
  readonly panel: string;
  readonly ink: string;
  /** Smaller text beside the main text. */
  readonly muted: string;
  /** Lines of boxes, arrows and tables. */
  readonly line: string;
  readonly link: string;
  readonly closed: string;
  readonly step: string;
  readonly open: string;
}

export type ThemeName = "light" | "dark";

export const themes: Readonly<Record<ThemeName, Theme>> = {
  light: {
    paper: "#ffffff",
    panel: "#f4f6f8",
    ink: "#1b1f24",
    muted: "#4f5964",
    line: "#6b7682",
    link: "#0a54b0",
    closed: "#fde3e0",
    step: "#dcecfb",
    open: "#d8f3dc",
  },
  dark: {
    paper: "#0f1419",
    panel: "#1a2028",
    ink: "#e8edf2",
    muted: "#a9b4c0",
    line: "#8592a0",
    link: "#7cb8ff",
    closed: "#4a1f22",
    step: "#173651",
    open: "#173f26",
  },
};

/** Writes a theme as declarations of CSS variables: `--paper:#ffffff;`. */
export function declareTheme(name: ThemeName): string {
  return Object.entries(themes[name])
    .map(([colour, value]) => `--${colour}:${value};`)
    .join("");
}
