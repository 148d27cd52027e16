"""The demo community: people, models, pictures and bounties that a first run on loopback shows.

``plan`` says who and what, ``make`` draws the pictures and trains the LoRAs with our own base model
(run by hand, its results are shipped in ``assets``), ``load`` puts them into an empty site through
the same services that people use.
"""
