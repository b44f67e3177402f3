# EduSeal's service. Build: docker build -t eduseal .   Run: see docker-compose.yml
FROM python:3.11-slim-bookworm AS build
WORKDIR /src
COPY requirements.txt pyproject.toml README.md ./
RUN python -m venv /opt/eduseal && /opt/eduseal/bin/pip install --no-cache-dir --require-hashes -r requirements.txt
COPY pki pki
COPY signing signing
COPY records records
COPY db db
COPY config config
COPY api api
COPY cli cli
COPY certs certs
RUN /opt/eduseal/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.11-slim-bookworm
RUN useradd --create-home --home-dir /var/lib/eduseal --uid 10001 eduseal
COPY --from=build /opt/eduseal /opt/eduseal
ENV PATH=/opt/eduseal/bin:$PATH EDUSEAL_HOME=/var/lib/eduseal/home PYTHONUNBUFFERED=1
USER eduseal
VOLUME /var/lib/eduseal
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["eduseal", "serve", "--host", "0.0.0.0", "--port", "8000"]
