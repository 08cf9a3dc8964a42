"""`python forked_command.py SOCKET ARGUMENTS...`: a command of seqrnn, in a child of the process there."""

import json
import os
import socket
import sys

if __name__ == "__main__":
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(sys.argv[1])
        request = json.dumps([sys.argv[2:], dict(os.environ), os.getcwd()]).encode()
        socket.send_fds(connection, [request], [0, 1, 2])
        sys.exit(int(connection.recv(16)))
