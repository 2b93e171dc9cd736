"""Networks of others that embed windows of sound, with the weights that they were published with."""
