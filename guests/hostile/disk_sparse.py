# {"ends": ["DISK_EXCEEDED", "exit"], "container": {"ends": ["ok", "DISK_EXCEEDED", "exit"]}}
with open("sparse", "wb") as file:
    file.seek(1 << 50)
    file.write(b"x")
