"""The API's OpenAPI 3.1 document, made from the models that the API validates requests with.

Only builds and tests make it; the API serves the file in its bundle.
"""
