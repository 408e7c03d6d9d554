/** Close codes of every SAC socket. */
export const ENDED = 1000;
export const UNAUTHENTICATED = 4401;
export const FORBIDDEN = 4403;
export const GONE = 4404;
