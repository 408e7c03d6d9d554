"""What SAC brings along, registered through the same hooks as everyone's: the process executor, the shell runtime and
the token authenticator. Nothing here is known to another part by name, except through the registry.
"""
