# {"ends": "MEMORY_EXCEEDED"}
text = "x"
while True:
    text += text
