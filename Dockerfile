# One image for web, worker, beat and release; compose.yaml says which runs what.
FROM python:3.11-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /venv
COPY requirements.lock .
RUN /venv/bin/pip install --require-hashes -r requirements.lock

FROM python:3.11-slim
# The portal's own user: it may write to /app/var alone.
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin portal
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
COPY --from=build /venv /venv
WORKDIR /app
COPY . .
# Static files are part of the image. The keys serve this command alone and are stored nowhere.
RUN mkdir var \
    && SECRET_KEY=build PORTAL_URL=http://localhost FIELD_ENCRYPTION_KEYS=build python manage.py collectstatic --noinput \
    && rm -rf var/* && chown portal var
USER portal
VOLUME /app/var
EXPOSE 8000
CMD ["gunicorn", "partner_portal.wsgi", "--config", "gunicorn.conf.py"]
