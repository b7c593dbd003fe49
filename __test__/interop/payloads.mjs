/** Messages sent and expected by both sides of the interop tests; payloads.py makes the same. */

/** Characters of one to four bytes of UTF-8. */
export const TEXT = 'Grüße an alle: 世界, мир, 🦀';

/** Larger than 65,535 bytes, so that the frame's length takes eight. */
export const BINARY = Buffer.from(Uint8Array.from({ length: 76_800 }, (_, index) => index % 251));

/** 210,000 bytes of text, with characters across any buffer boundary. */
export const LONG_TEXT = 'aß世🦀'.repeat(21_000);

export const CLOSE_CODE = 3001;
export const CLOSE_REASON = 'tschüß';
