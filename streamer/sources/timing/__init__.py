"""When sound comes: its times of arrival, its pace, and what was lost on the way."""
