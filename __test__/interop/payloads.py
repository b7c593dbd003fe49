"""What both sides of the interop tests send and expect; payloads.mjs makes the same."""

TEXT = "Grüße an alle: 世界, мир, 🦀"
BINARY = bytes(index % 251 for index in range(76_800))
LONG_TEXT = "aß世🦀" * 21_000
CLOSE_CODE = 3001
CLOSE_REASON = "tschüß"
