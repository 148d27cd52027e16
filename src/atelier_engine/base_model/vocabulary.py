"""The words the base model claims to draw, and the picture each of them is learnt from."""

from __future__ import annotations

from dataclasses import dataclass

# One entry per line: the picture's label in the source catalogue, and, where people would
# say something else, "= the word we claim / more names for it".
_ENTRIES = """
grinning face = grinning face/happy face
smiling face with smiling eyes = smiling face/smile
face with tears of joy = laughing face/tears of joy
smiling face with heart-eyes = heart eyes face/love face
winking face
face blowing a kiss = kissing face
smiling face with sunglasses = cool face/face with sunglasses
thinking face
crying face = sad face/crying face
sleeping face
enraged face = angry face/red angry face
star-struck = star eyes face
partying face = party face
cowboy hat face = cowboy face/cowboy
nerd face
astonished face = surprised face
smiling face with halo = angel face
smiling face with horns = devil face
skull
ghost
alien
robot
clown face = clown
pile of poo = poo
jack-o-lantern = pumpkin/halloween pumpkin
red heart
pink heart
orange heart
yellow heart
green heart
blue heart
purple heart
brown heart
black heart
white heart
broken heart
sparkling heart
heart on fire = burning heart
monkey face = monkey
dog face = dog/puppy
wolf
fox
cat face = cat/kitten
lion
tiger face = tiger
horse face = horse
unicorn
zebra
cow face = cow
pig face = pig
mouse face = mouse
rabbit face = rabbit/bunny
bear
koala
panda
elephant
giraffe
hedgehog
penguin
baby chick = chick
bird
duck
owl
eagle
parrot
frog
turtle
snake
dragon face = dragon
T-Rex = dinosaur
spouting whale = whale
dolphin
fish
shark
octopus
crab
snail
butterfly
honeybee = bee
lady beetle = ladybug
spider
rose
sunflower
cherry blossom
tulip
evergreen tree = pine tree
deciduous tree = tree
palm tree
cactus
four leaf clover = clover
maple leaf
mushroom
grapes
watermelon
tangerine = orange fruit/tangerine
lemon
banana
pineapple
red apple = red apple/apple
green apple
peach
cherries = cherries/cherry
strawberry
blueberries
tomato
avocado
eggplant
carrot
ear of corn = corn
hot pepper = chili pepper
broccoli
bread
pretzel
pancakes
cheese wedge = cheese
hamburger = hamburger/burger
french fries = french fries/fries
pizza
hot dog
taco
cooking = fried egg
egg
sushi
ice cream
soft ice cream = ice cream cone
doughnut = donut/doughnut
cookie
birthday cake = birthday cake/cake
cupcake
lollipop
hot beverage = coffee/cup of coffee
wine glass = wine
beer mug = beer
globe showing Americas = earth/globe
snow-capped mountain = mountain
volcano
house
castle
bus
fire engine = fire truck
automobile = car/red car
bicycle
sailboat
airplane
rocket
flying saucer = ufo
anchor
alarm clock
crescent moon = moon/crescent moon
sun
star = star/yellow star
ringed planet = planet/saturn
cloud
rainbow
umbrella
high voltage = lightning
snowflake
snowman
fire = fire/flame
droplet = water drop
Christmas tree
balloon
wrapped gift = gift/present
trophy
soccer ball
basketball
tennis = tennis ball
american football = football
bullseye = target
pool 8 ball = billiard ball
video game = game controller
game die = dice
teddy bear
artist palette = paint palette
glasses
sunglasses
t-shirt
dress
backpack
running shoe = shoe/sneaker
crown
top hat
gem stone = diamond/gem
bell
musical note = music note
microphone
trumpet
guitar
drum
mobile phone = phone
laptop
television = tv
camera
candle
light bulb
green book
blue book
books
coin
envelope
package = box
pencil
scissors
locked = lock
key
hammer
bomb
gear
door
check mark
red question mark = question mark
red circle
blue circle
green circle
yellow circle
"""

# Words that a longer run can grow into: prepared, but not trained and not claimed yet.
_NEXT_ENTRIES = """
squinting face with tongue = tongue face
exploding head
gorilla
raccoon
moose
hamster
polar bear
kangaroo
chicken
flamingo
crocodile
tropical fish
blowfish = pufferfish
lobster
shrimp
bat
swan
hibiscus
seedling = sprout
mango
pear
kiwi fruit = kiwi
coconut
potato
bell pepper
cucumber
garlic
onion
croissant
bagel
waffle
sandwich
popcorn
rice ball
pie
chocolate bar = chocolate
candy
cocktail glass = cocktail
bubble tea
teapot
glass of milk = milk
tent
ferris wheel
locomotive = train/steam train
ambulance
police car
taxi
racing car = race car
tractor
delivery truck = truck
motorcycle
skateboard
ship
helicopter
hourglass done = hourglass
watch
sun with face
water wave = wave
tornado
party popper
1st place medal = gold medal
baseball
volleyball
bowling
kite
crystal ball
magic wand
joystick
puzzle piece
boxing glove
jeans
socks
handbag
high-heeled shoe = high heel shoe
lipstick
ring
headphone = headphones
radio
saxophone
accordion
violin
telephone
battery
desktop computer = computer
floppy disk
magnifying glass tilted left = magnifying glass
orange book
money bag
paintbrush
crayon
axe
crossed swords = swords
shield
magnet
microscope
telescope
chair
bed
toilet
bathtub
broom
soap
shopping cart
purple circle
orange circle
red square
blue square
green square
yellow square
purple square
orange square
"""


@dataclass(frozen=True)
class Word:
    """A claimed word: the catalogue label of its picture and the names people type for it."""

    label: str
    names: tuple[str, ...]

    @property
    def name(self) -> str:
        """The word as the model card lists it."""
        return self.names[0]


def claimed_words() -> list[Word]:
    """Every word the shipped model is trained on, in the catalogue's order."""
    return _parse(_ENTRIES)


def next_words() -> list[Word]:
    """Words that a longer run can grow into."""
    return _parse(_NEXT_ENTRIES)


def _parse(entries: str) -> list[Word]:
    words = []
    for line in entries.strip().splitlines():
        label, _, names = line.partition(" = ")
        words.append(Word(label=label, names=tuple(names.split("/")) if names else (label,)))
    return words


# Target hue in degrees (None: a grey), then saturation and brightness factors.
COLOURS: dict[str, tuple[float | None, float, float]] = {
    "red": (0.0, 1.1, 1.0),
    "orange": (28.0, 1.1, 1.05),
    "yellow": (50.0, 1.1, 1.15),
    "green": (125.0, 1.0, 0.95),
    "blue": (212.0, 1.1, 1.0),
    "purple": (272.0, 0.95, 1.0),
    "pink": (328.0, 0.75, 1.12),
    "black": (None, 0.0, 0.32),
}

BACKGROUNDS: dict[str, tuple[int, int, int]] = {
    "red": (222, 52, 52),
    "orange": (250, 146, 40),
    "yellow": (255, 214, 60),
    "green": (60, 176, 84),
    "blue": (52, 124, 232),
    "purple": (142, 82, 214),
    "pink": (250, 140, 190),
    "black": (28, 28, 32),
}

# The picture of one of these is its colour: a recoloured copy would contradict another word.
COLOUR_IS_THE_WORD = ("heart", "circle", "square", "book", "apple", "rainbow", "fire", "palette")
