"""Voice and accompaniment apart, from sound as it comes."""
