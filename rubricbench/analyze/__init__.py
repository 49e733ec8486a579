"""What a rubric is made of, and what a reward can be hacked by."""
