# {"ends": "ok", "stdout": "refused\n"}
try:
    import socket

    socket.create_connection(("127.0.0.1", 80), timeout=1)
    print("connected")
except (ImportError, OSError, AttributeError):
    print("refused")
