# {"ends": ["DISK_EXCEEDED", "exit"], "container": {"ends": "ok", "stdout": null}}
with open("sparse", "wb") as file:
    file.seek(1 << 50)
    file.write(b"x")
