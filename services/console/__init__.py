"""The `makerd` command: starts a deployment, shows it, halts it. It holds no keys and asks `execution`.

In          everything on the bus; supervisord; Redis
Out         a terminal view, JSON, halt flags, program files
State       nothing that must survive
On failure  says "unknown", never a guess
"""
