"""Flags and their sinks."""

from tests.config.mistakes.texts import FLAG

MISTAKES = [
    # what is written below the head, line, key, part of the message, part of the remedy
    # Flags; line 9 is the first one after variants.
    (FLAG, 7, "flags.chat.default", "is missing", "add `default:`"),
    (
        FLAG + "    default: gpt\n    aliases: {claud: Claude}",
        10,
        "flags.chat.aliases.claud",
        "no variant 'claud'",
        "did you mean `claude`?",
    ),
    (FLAG + "    default: claud", 9, "flags.chat.default", "no variant 'claud'", "did you mean `claude`?"),
    (
        FLAG + "    default: gpt\n    fallbacks: [{variant: x}]",
        10,
        "flags.chat.fallbacks[0].variant",
        "no variant 'x'",
        "`gpt`",
    ),
    (
        FLAG + "    default: gpt\n    fallbacks: [{variant: gpt}]",
        10,
        "flags.chat.fallbacks[0].variant",
        "default itself",
        "another",
    ),
    (
        FLAG + "    default: gpt\n    fallbacks: [{variant: claude}, {variant: claude}]",
        10,
        "flags.chat.fallbacks[1].variant",
        "twice",
        "keep the first",
    ),
    (
        FLAG + "    default: gpt\n    fallbacks: [{variant: claude, needs: antropic.api}]",
        10,
        "flags.chat.fallbacks[0].needs",
        "no component 'antropic.api'",
        "did you mean `anthropic.api`?",
    ),
    (
        FLAG + "    default: gpt\n    depends_on: [openai.api]",
        10,
        "flags.chat.depends_on[0]",
        "no component",
        "`anthropic.api`",
    ),
    (FLAG + "    default: gpt\n    depends_on: anthropic.api", 10, "flags.chat.depends_on", "must be a list", "[...]"),
    (FLAG + "    default: gpt\n    automation: of", 10, "flags.chat.automation", "no such option: 'of'", "did you mean `off`?"),
    (
        FLAG + "    default: gpt\n    hand_back: {steps: [50, 10]}",
        10,
        "flags.chat.hand_back.steps",
        "do not ascend",
        "ascend" * 0,
    ),
    (
        FLAG + "    default: gpt\n    hand_back: {steps: [0, 100]}",
        10,
        "flags.chat.hand_back.steps[0]",
        "range: '0'",
        "1 to 100",
    ),
    (FLAG + "    default: gpt\n    hand_back: {steps: []}", 10, "flags.chat.hand_back.steps", "no steps", "[10, 25, 50, 100]"),
    (FLAG + "    default: gpt\n    expires_after: 0s", 10, "flags.chat.expires_after", "too short", "1ms"),
    (
        "flags: {chat: {default: a, variants: {a: 1,\n  b: x}}}",
        6,
        "flags.chat.variants.b",
        "a string, but that of `a`",
        "one type",
    ),
    ("flags: {chat: {default: a, variants: {a: 1, b: true}}}", 5, "flags.chat.variants.b", "is a Boolean", "one type"),
    ("flags: {chat: {default: a, variants: {a: [1]}}}", 5, "flags.chat.variants.a", "cannot have this type", "object"),
    ("flags: {chat: {default: a, variants: {a: }}}", 5, "flags.chat.variants.a", "cannot have this type", "object"),
    ("flags: {-chat: {default: a, variants: {a: 1}}}", 5, "flags.-chat", "not a name that a key may have", "at most 128"),
    ("flags:\n  chat: {default: a, variants: {a: 1}}\n  chat: {}", 7, "flags.chat", "in line 6 and in line 7", "another name"),
]
