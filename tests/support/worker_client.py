"""`python worker_client.py SOCKET …`: stands for a process that `worker_server` forks, and ends
when it does. Execnet starts it in place of Python, whose arguments follow."""

import signal
import socket
import sys

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(sys.argv[1])
        socket.send_fds(server, [b"."], [0, 1, 2])
        server.recv(1)
