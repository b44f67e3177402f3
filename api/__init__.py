"""The service: FastAPI routes (JSON), pages (HTML), and raw ASGI answers for OCSP and time stamps ahead of both.

app = create_app(house)            # house from config.bootstrap.open_house
uvicorn.run(app)
"""
