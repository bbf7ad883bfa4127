"""From a person's recordings to a voice with papers: what is speech, who speaks, what they allow."""
