"""What the recorded copy of a program calls, layer by layer; `Recorder` is the last."""
