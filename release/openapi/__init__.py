"""The API's OpenAPI 3.1 document, made from the request models that the API validates with.

Only builds and tests make it; the API hands out the file that its bundle holds.
"""
