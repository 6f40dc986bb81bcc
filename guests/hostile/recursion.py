# {"ends": "exit", "stderr": "RecursionError"}
def down():
    down()


down()
