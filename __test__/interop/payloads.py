"""Messages sent and expected by both sides of the interop tests; payloads.mjs makes the same."""

TEXT = "Grüße an alle: 世界, мир, 🦀"
BINARY = bytes(index % 251 for index in range(76_800))
LONG_TEXT = "aß世🦀" * 21_000
CLOSE_CODE = 3001
CLOSE_REASON = "tschüß"
