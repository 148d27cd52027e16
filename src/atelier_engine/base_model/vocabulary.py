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
squinting face with tongue = tongue face
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
exploding head
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
gorilla
dog face = dog/puppy
wolf
fox
raccoon
cat face = cat/kitten
lion
tiger face = tiger
horse face = horse
unicorn
zebra
moose
cow face = cow
pig face = pig
mouse face = mouse
hamster
rabbit face = rabbit/bunny
bear
polar bear
koala
panda
elephant
giraffe
hedgehog
kangaroo
penguin
chicken
baby chick = chick
bird
duck
owl
eagle
flamingo
parrot
frog
crocodile
turtle
snake
dragon face = dragon
T-Rex = dinosaur
spouting whale = whale
dolphin
fish
tropical fish
blowfish = pufferfish
shark
octopus
crab
lobster
shrimp
snail
butterfly
honeybee = bee
lady beetle = ladybug
spider
bat
swan
rose
sunflower
cherry blossom
tulip
hibiscus
evergreen tree = pine tree
deciduous tree = tree
palm tree
cactus
four leaf clover = clover
maple leaf
mushroom
seedling = sprout
grapes
watermelon
tangerine = orange fruit/tangerine
lemon
banana
pineapple
mango
red apple = red apple/apple
green apple
pear
peach
cherries = cherries/cherry
strawberry
blueberries
kiwi fruit = kiwi
tomato
coconut
avocado
eggplant
potato
carrot
ear of corn = corn
hot pepper = chili pepper
bell pepper
cucumber
broccoli
garlic
onion
bread
croissant
pretzel
bagel
pancakes
waffle
cheese wedge = cheese
hamburger = hamburger/burger
french fries = french fries/fries
pizza
hot dog
sandwich
taco
cooking = fried egg
egg
popcorn
sushi
rice ball
ice cream
soft ice cream = ice cream cone
doughnut = donut/doughnut
cookie
birthday cake = birthday cake/cake
cupcake
pie
chocolate bar = chocolate
candy
lollipop
hot beverage = coffee/cup of coffee
wine glass = wine
cocktail glass = cocktail
beer mug = beer
bubble tea
teapot
glass of milk = milk
globe showing Americas = earth/globe
snow-capped mountain = mountain
volcano
house
castle
tent
ferris wheel
locomotive = train/steam train
bus
ambulance
fire engine = fire truck
police car
taxi
automobile = car/red car
racing car = race car
tractor
delivery truck = truck
motorcycle
bicycle
skateboard
sailboat
ship
airplane
helicopter
rocket
flying saucer = ufo
anchor
hourglass done = hourglass
watch
alarm clock
crescent moon = moon/crescent moon
sun
sun with face
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
water wave = wave
tornado
Christmas tree
balloon
party popper
wrapped gift = gift/present
trophy
1st place medal = gold medal
soccer ball
basketball
baseball
tennis = tennis ball
volleyball
american football = football
bowling
bullseye = target
kite
pool 8 ball = billiard ball
crystal ball
magic wand
video game = game controller
joystick
game die = dice
puzzle piece
teddy bear
artist palette = paint palette
boxing glove
glasses
sunglasses
t-shirt
jeans
dress
socks
backpack
handbag
running shoe = shoe/sneaker
high-heeled shoe = high heel shoe
crown
top hat
lipstick
ring
gem stone = diamond/gem
bell
musical note = music note
microphone
headphone = headphones
radio
saxophone
trumpet
accordion
guitar
violin
drum
mobile phone = phone
telephone
battery
laptop
desktop computer = computer
floppy disk
television = tv
camera
magnifying glass tilted left = magnifying glass
candle
light bulb
green book
blue book
orange book
books
coin
money bag
envelope
package = box
pencil
paintbrush
crayon
scissors
locked = lock
key
hammer
axe
crossed swords = swords
bomb
shield
gear
magnet
microscope
telescope
door
chair
bed
toilet
bathtub
broom
soap
shopping cart
check mark
red question mark = question mark
red circle
blue circle
green circle
yellow circle
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
    """Every word the shipped model claims, in the catalogue's order."""
    words = []
    for line in _ENTRIES.strip().splitlines():
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
