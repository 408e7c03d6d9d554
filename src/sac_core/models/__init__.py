"""The nouns: frozen data and pure transitions between them.

Belongs here: what an Agent, a Session, a Launch, a body's observation is, and functions from data to data.
Does not belong here: anything that awaits, reads a clock, touches a file, or knows how something is stored or sent.
"""
