"""The forms besides TensorFlow Hub's in which YAMNet's weights go round, and how they are compared with torch."""
