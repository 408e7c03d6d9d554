import type { ComponentChildren } from "preact";

function Icon({ children }: { children: ComponentChildren }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" width="16" height="16" fill="none" stroke="currentColor" aria-hidden="true">
      <g stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round">
        {children}
      </g>
    </svg>
  );
}

export const Mark = () => (
  <svg class="mark" viewBox="0 0 32 32" width="26" height="26" aria-hidden="true">
    <rect width="32" height="32" rx="8" fill="#1f2430" />
    <path d="M8 11l5 5-5 5" fill="none" stroke="#5cc8b4" stroke-width="3" stroke-linecap="round" stroke-linejoin="round" />
    <path d="M16.5 21.5H24" stroke="#e8ebf2" stroke-width="3" stroke-linecap="round" />
  </svg>
);
export const Plus = () => <Icon><path d="M8 3v10M3 8h10" /></Icon>;
export const Prompt = () => <Icon><path d="M3 4.5L6.5 8 3 11.5M8.5 11.5H13" /></Icon>;
export const Play = () => <Icon><path d="M5 3.5v9l7-4.5z" /></Icon>;
export const Pause = () => <Icon><path d="M5.5 3.5v9M10.5 3.5v9" /></Icon>;
export const Before = () => <Icon><path d="M4 10l4-4 4 4" /></Icon>;
export const Behind = () => <Icon><path d="M4 6l4 4 4-4" /></Icon>;
export const Stop = () => <Icon><rect x="4" y="4" width="8" height="8" rx="1" /></Icon>;
export const Again = () => <Icon><path d="M13 8a5 5 0 1 1-1.6-3.7M13 2.5v3h-3" /></Icon>;
export const Bin = () => <Icon><path d="M3 4.5h10M6.5 4.5v-2h3v2M4.5 4.5l.6 9h5.8l.6-9" /></Icon>;
export const Down = () => <Icon><path d="M8 2.5v7.5M4.8 7L8 10.2 11.2 7M3 13.5h10" /></Icon>;
export const Up = () => <Icon><path d="M8 10.5V3M4.8 6L8 2.8 11.2 6M3 13.5h10" /></Icon>;
export const Cross = () => <Icon><path d="M4 4l8 8M12 4l-8 8" /></Icon>;
export const Sun = () => (
  <Icon>
    <circle cx="8" cy="8" r="2.8" />
    <path d="M8 1.5v1.5M8 13v1.5M1.5 8H3M13 8h1.5M3.4 3.4l1 1M11.6 11.6l1 1M3.4 12.6l1-1M11.6 4.4l1-1" />
  </Icon>
);
export const Moon = () => <Icon><path d="M13 9.5A5.5 5.5 0 0 1 6.5 3 5.5 5.5 0 1 0 13 9.5z" /></Icon>;
export const Half = () => (
  <Icon>
    <circle cx="8" cy="8" r="5.5" />
    <path d="M8 2.5v11a5.5 5.5 0 0 0 0-11z" fill="currentColor" stroke="none" />
  </Icon>
);
export const Leave = () => <Icon><path d="M6.5 13.5h-3v-11h3M10 5l3 3-3 3M13 8H6.5" /></Icon>;
export const Expand = () => <Icon><path d="M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10" /></Icon>;
export const Reader = () => <Icon><circle cx="8" cy="3.2" r="1.2" /><path d="M3 6l5 1 5-1M8 7v3l-2.5 4M8 10l2.5 4" /></Icon>;
export const Smaller = () => <Icon><path d="M2 13L6 3l4 10M3.4 9.5h5.2M11 8.5h4" /></Icon>;
export const Larger = () => <Icon><path d="M2 13L6 3l4 10M3.4 9.5h5.2M11 8.5h4M13 6.5v4" /></Icon>;
export const Warning = () => <Icon><path d="M8 2.5l6 11H2zM8 6.5v3.2M8 11.8v.1" /></Icon>;
