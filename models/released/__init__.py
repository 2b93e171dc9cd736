"""Released models, one folder each: data that goes into the wheel as `streamer.released`."""
