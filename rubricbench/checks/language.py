"""The family about the language of the response, and the names of languages."""

from __future__ import annotations

from rubricbench.checks.registry import Outcome, Param, Params, family

# What langdetect tells apart; "zh" is either form of written Chinese.
_NAMES = {
    "af": "Afrikaans",
    "ar": "Arabic",
    "bg": "Bulgarian",
    "bn": "Bengali",
    "ca": "Catalan",
    "cs": "Czech",
    "cy": "Welsh",
    "da": "Danish",
    "de": "German",
    "el": "Greek",
    "en": "English",
    "es": "Spanish",
    "et": "Estonian",
    "fa": "Persian",
    "fi": "Finnish",
    "fr": "French",
    "gu": "Gujarati",
    "he": "Hebrew",
    "hi": "Hindi",
    "hr": "Croatian",
    "hu": "Hungarian",
    "id": "Indonesian",
    "it": "Italian",
    "ja": "Japanese",
    "kn": "Kannada",
    "ko": "Korean",
    "lt": "Lithuanian",
    "lv": "Latvian",
    "mk": "Macedonian",
    "ml": "Malayalam",
    "mr": "Marathi",
    "ne": "Nepali",
    "nl": "Dutch",
    "no": "Norwegian",
    "pa": "Punjabi",
    "pl": "Polish",
    "pt": "Portuguese",
    "ro": "Romanian",
    "ru": "Russian",
    "sk": "Slovak",
    "sl": "Slovenian",
    "so": "Somali",
    "sq": "Albanian",
    "sv": "Swedish",
    "sw": "Swahili",
    "ta": "Tamil",
    "te": "Telugu",
    "th": "Thai",
    "tl": "Tagalog",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "ur": "Urdu",
    "vi": "Vietnamese",
    "zh": "Chinese",
    "zh-cn": "Simplified Chinese",
    "zh-tw": "Traditional Chinese",
}

LANGUAGE_CHOICES = tuple(_NAMES)


def language_name(code: str) -> str:
    """Return the English name of a language by its code, one of `LANGUAGE_CHOICES`."""
    return _NAMES[code]


def in_language(text: str, code: str) -> Outcome:
    """Tell whether a text is in a language; where none can be told, it is not."""
    from rubricbench.checks.detection import detect_language

    found = detect_language(text)
    if found is None:
        return Outcome(False, "no language can be told")
    met = found.code == code or (code == "zh" and found.code in ("zh-cn", "zh-tw"))
    return Outcome(met, f"{language_name(found.code)}, probability {found.probability:.2f}")


@family(
    "language",
    describe=lambda p: f"The whole response is in {language_name(p['code'])}.",
    params={
        "code": Param("str", "ISO 639-1 code of the language", choices=LANGUAGE_CHOICES),
    },
    passes=[
        ({"code": "de"}, "Der Zug fährt morgen früh um acht Uhr vom Hauptbahnhof ab."),
        ({"code": "zh"}, "今天天气很好，我们去公园散步吧。"),
    ],
    fails=[
        ({"code": "fr"}, "The train leaves the main station tomorrow at eight."),
        ({"code": "en"}, "12345 !!!"),
    ],
)
def language(text: str, params: Params) -> Outcome:
    """The most probable language of the text (`detection.detect_language`)."""
    return in_language(text, params["code"])
