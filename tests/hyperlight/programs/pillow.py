import io

from PIL import Image, ImageDraw, ImageFilter

image = Image.new("RGB", (64, 48), "white")
ImageDraw.Draw(image).ellipse((10, 10, 50, 40), fill="red")
image.filter(ImageFilter.GaussianBlur(2)).save("dot.jpg", quality=80)
again = Image.open("dot.jpg")
buffer = io.BytesIO()
again.resize((32, 24)).save(buffer, "PNG")
red, green, blue = again.getpixel((30, 25))
print(again.size, red > 200, green < 60, Image.open(io.BytesIO(buffer.getvalue())).format)
