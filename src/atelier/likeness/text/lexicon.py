"""The words that rules look for. Folded: lower case, no accents."""

from __future__ import annotations

# Words for people in somebody's life. Listed by language with the possessives that go with them.
# The first list is looked at by a person wherever it stands in a commission; the second counts only
# where something is to be made of that person.
RELATIONS_CLOSE_EN = (
    "wife|husband|girlfriend|boyfriend|fiancee?|ex|gf|bf|crush|sister|stepmom|stepsister|stepdaughter|"
    "roommate|flatmate|neighbou?r|co-?worker|colleague|boss|secretary|teacher|professor|classmate|"
    "schoolmate|babysitter|landlady|mother in law|sister in law"
)
RELATIONS_EN = (
    RELATIONS_CLOSE_EN
    + "|spouse|partner|brother|mother|mom|mum|mommy|father|dad|daughter|son|aunt|uncle|cousin|"
    "niece|nephew|grandma|grandmother|grandpa|manager|assistant|tutor|student|friend|bestie|nurse|doctor|"
    "therapist|coach|bride|employee|intern|client|girl|self|face"
)
RELATIONS_DE = (
    "frau|mann|freundin|ehefrau|ehemann|exfreundin|exfreund|ex|schwester|bruder|mutter|vater|"
    "tochter|sohn|nachbarin|nachbar|kollegin|arbeitskollegin|chefin|lehrerin|lehrer|mitbewohnerin|"
    "mitschulerin|schulerin|cousine|tante|schwagerin"
)
RELATIONS_ES = (
    "esposa|mujer|novia|ex|exnovia|hermana|madre|hija|prima|tia|vecina|companera|colega|profesora|"
    "maestra|jefa|amiga|cunada|marido|novio|exnovio|hermano|vecino|companero|profesor|jefe"
)
RELATIONS_FR = (
    "femme|copine|ex|epouse|fiancee|soeur|mere|fille|cousine|tante|voisine|collegue|prof|patronne|"
    "amie|mari|copain|frere|voisin|professeur|patron|belle-soeur"
)

# What one makes of somebody.
DEPICTIONS = (
    "lora|loras|model|models|checkpoint|embedding|picture|pictures|pic|pics|photo|photos|image|images|"
    "portrait|portraits|drawing|drawings|painting|nudes?|deepfakes?|likeness|face|lookalike|version|"
    "replica|avatar|selfies?|foto|fotos|bild|bilder|imagen|imagenes|retrato|photographie|modell|modelo|"
    "modele"
)
ACTS = (
    "generate|create|make|draw|paint|render|train|clone|recreate|replicate|undress|depict|"
    "looks? like|looking like|resembles?|resembling|based on|trained on|train on"
)

SOCIAL_SITES = (
    "instagram|tiktok|facebook|onlyfans|fansly|snapchat|threads|twitter|linkedin|vk|myspace|tinder|"
    "bumble|weibo|xiaohongshu"
)
SOCIAL_WORDS = (
    "instagram|insta|ig|tiktok|tik tok|snap|snapchat|facebook|fb|twitter|onlyfans|fansly|threads|"
    "linkedin"
)

SAME_PERSON = (
    r"same (?:exact )?(?:person|woman|girl|man|lady|face|identity)",
    r"(?:real|actual|existing|specific) (?:life )?(?:person|woman|girl|man|lady|guy|people)",
    r"(?:real|actual|specific) (?:individual|human being|model from)",
    r"real[- ]life (?:person|woman|girl|man|lady|guy|friend)",
    r"\birl\b",
    r"celeb(?:s|rity|rities)?\b",
    r"influencers?\b|instagrammer|instagirl|tiktoker|youtuber|vlogger|(?:twitch )?streamer",
    r"porn ?star|(?:onlyfans|fansly) (?:girl|model|creator)",
    r"famous (?:actress|actor|singer|model|person|woman)",
    r"(?:the|an|this) (?:actress|actor|singer|supermodel) (?:from|in|who)",
    r"looks? exactly like (?:her|him|them)",
    r"(?:her|his|their) (?:exact )?(?:tattoos?|birthmark|real face|likeness)",
    r"this (?:person|woman|girl|lady|man|guy)\b",
    r"person i know|someone i know|somebody i know|girl i know|woman i know",
)
# "no real person", "not a celebrity": the opposite is meant.
DENIALS = r"(?:no|not|never|without|isn't|aren't|not of|nobody|any|avoid|fictional|instead of)"

# Making pictures of somebody undressed or with another's face: the act itself names a real person.
ABUSES = (
    r"deep ?fakes?\b",
    r"\bnudif(?:y|ies|ied|ying|ier)\b",
    r"undress(?:es|ed|ing)? (?:her|him|this|my|the (?:woman|girl|person|photo))",
    r"remove (?:her|his|the|their) clothes",
    r"face ?swap(?:s|ped|ping)?\b",
    r"put (?:her|his|my) face on",
    r"revenge ?porn",
)

SEXUAL = frozenset(
    """
    nude nudes nudity naked nsfw porn porno pornographic pornography xxx hentai erotic erotica
    erotik sexual sexually sexy sexo sexe fuck fucked fucking fucks cumshot cumming blowjob
    handjob bukkake creampie orgasm orgasmic masturbate masturbating masturbation penis vagina
    vulva pussy boobs tits titties nipple nipples genitals genitalia topless bottomless upskirt
    lingerie bdsm bondage fetish ahegao futanari futa milf gangbang threesome stripper
    striptease stripping undressed unclothed horny slut slutty whore camgirl nackt nackte
    nacktbild desnuda desnudo desnudas nue nues nus denudee spreadeagle deepthroat dildo
    penetration rape raped molest intercourse lewd ecchi r34 rule34 onlyfans barebreasted
    """.split()  # noqa: SIM905 - a list of words reads best as words
)
SEXUAL_PHRASES = (
    r"\bsex\b(?!\s*[:=])",
    r"\bcum\b(?! laude)",
    r"\bno clothes\b",
    r"without (?:any )?clothes",
    r"bare (?:breasts?|chest(?:ed)? (?:woman|girl)|ass|butt)",
    r"spread(?:ing)? (?:her )?legs",
    r"having sex",
    r"birthday suit",
    r"in the nude",
    r"doggy ?style",
    r"see[- ]through (?:top|dress|shirt)",
)

MINOR = frozenset(
    """
    child children childlike kid kids kiddie toddler toddlers infant baby babies preteen
    preteens prepubescent underage underaged minor minors loli lolis lolita lolicon shota shotas
    shotacon schoolgirl schoolgirls schoolboy schoolboys teen teens teenage teenager teenagers
    tween kindergarten pupil kinder nina ninas nino ninos enfant enfants mineure mineur
    minderjahrig minderjahrige preschooler jailbait youngling adolescent adolescents
    """.split()  # noqa: SIM905 - a list of words reads best as words
)
MINOR_PHRASES = (
    r"\b(?:[1-9]|1[0-7])[\s-]?(?:years?|yrs?|y/?o)(?:[\s-]?old)?\b",
    r"\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)[\s-]years?(?:[\s-]old)?\b",
    r"\b(?:thir|four|fif|six|seven)teen[\s-]years?(?:[\s-]old)?\b",
    r"\bage(?:d)? (?:[1-9]|1[0-7])\b",
    r"\b(?:little|young|small|tiny) (?:girl|boy|girls|boys|child)\b",
    r"\b(?:elementary|primary|middle|junior high|high)[\s-]?school(?:ers?|girl|boy| student)?\b",
    r"\bflat[\s-]?chested (?:girl|child)\b",
    r"\bkleines? (?:madchen|junge)\b",
    r"\bpetite? fille\b",
)
# Words that are sexual of a minor by themselves.
MINOR_SEXUAL = frozenset({"lolicon", "shotacon", "jailbait", "childporn", "pedo", "pedophile"})
