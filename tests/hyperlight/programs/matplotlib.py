import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

figure, axes = plt.subplots(figsize=(2, 2))
axes.plot([1, 2, 3], [1, 4, 9], label="squares")
axes.set_title("Grüße")
axes.legend()
figure.savefig("plot.png", dpi=50)
with open("plot.png", "rb") as file:
    print(file.read(8) == b"\x89PNG\r\n\x1a\n", matplotlib.get_backend().lower())
