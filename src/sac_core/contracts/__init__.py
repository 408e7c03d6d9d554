"""What each part guarantees to the others: abstract classes and the values that they exchange.

Belongs here: Executor, Process, Runtime, Authenticator, Stage, Store, Sac, and what a plugin is given (PluginContext).
Does not belong here: any implementation, any decision.
"""
