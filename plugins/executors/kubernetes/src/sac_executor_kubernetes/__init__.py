"""The executor ``kubernetes``: a body is a Deployment with one pod, whose first process is SAC's holder.

Belongs here: all that knows Kubernetes. `sdk` alone imports the client library, with the first call of a cluster.
Does not belong here: decisions about agents.
"""
