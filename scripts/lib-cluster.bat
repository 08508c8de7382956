@echo off
rem What setup-kind.bat and setup-minikube.bat share: call "lib-cluster.bat" :LABEL. The same as lib-cluster.sh.
call %*
if errorlevel 1 exit /b 1
exit /b 0

rem IMAGES: those of the platform at TAG, and those of the bundled Postgres and Redis where they are here already
:find_images
set "CHART=%REPO%\helm\bizosaas\Chart.yaml"
call "%~dp0lib-deploy.bat" :make_scratch
"%FIND%" "appVersion:" <"%CHART%" >"%SCRATCH%\answer"
if "%TAG%"=="" for /f "usebackq tokens=1,2" %%A in ("%SCRATCH%\answer") do if "%%A"=="appVersion:" set "TAG=%%~B"
if "%TAG%"=="" echo error: the chart names no appVersion: give --tag 1>&2
if "%TAG%"=="" exit /b 1
set "IMAGES="
set "MISSING="
if "%LOAD%"=="no" exit /b 0
call "%~dp0lib-deploy.bat" :need docker https://docs.docker.com/desktop/
if errorlevel 1 exit /b 1
for %%N in (bizosaas identity ai-orchestrator chatbot crm analytics) do call :ours bizosaas/%%N:%TAG%
if not "%MISSING%"=="" echo error: these images are not here:%MISSING%; build them with scripts\docker-build.bat 1>&2
if not "%MISSING%"=="" exit /b 1
for %%I in (pgvector/pgvector:pg17 valkey/valkey:8) do call :foreign %%I
exit /b 0

:ours
set "IMAGES=%IMAGES% %~1"
call docker image inspect %~1 >nul 2>nul
if errorlevel 1 set "MISSING=%MISSING% %~1"
exit /b 0

:foreign
call docker image inspect %~1 >nul 2>nul
if not errorlevel 1 set "IMAGES=%IMAGES% %~1"
exit /b 0

rem Installs the chart with the images at TAG, waits, asks for health.
:deploy
set "OPTIONS=--namespace %NAMESPACE% --release %RELEASE% --tag %TAG% --timeout %TIMEOUT%%DEPLOY% --context %CONTEXT% --host %NODE%"
if "%DRY_RUN%"=="yes" echo + scripts\helm-deploy.bat %OPTIONS%
if "%DRY_RUN%"=="yes" exit /b 0
call "%~dp0helm-deploy.bat" %OPTIONS%
if errorlevel 1 exit /b 1
exit /b 0
