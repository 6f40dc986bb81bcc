# {"ends": "TIMED_OUT"}
import asyncio


async def main():
    await asyncio.gather(*(asyncio.sleep(3600) for _ in range(100)))


asyncio.run(main())
