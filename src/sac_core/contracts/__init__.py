"""What each part guarantees to the others: abstract classes and the values that they exchange.

Belongs here: Executor, Process, Runtime, Authenticator, Stage, Store, Sac, what a plugin is given (PluginContext), and
the one way to have tasks behind a context (background) and to read what has to be closed (closing).
Does not belong here: any implementation, any decision.
"""
