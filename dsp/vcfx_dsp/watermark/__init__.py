"""The mark that converted speech carries: what it says, how it is keyed, where it lies, how it is found."""
