@echo off
rem The six container images. See --help. The same as docker-build.sh, for Windows 10 and newer.
setlocal
set "LIB=%~dp0lib-deploy.bat"
call "%LIB%" :defaults
call "%~dp0lib-docker.bat" :defaults
set "TAG="
set "REGISTRY="
set "PUSH=no"
set "NAMES="
set "SOURCE=build"
set "COMPILE=no"

:arguments
if "%~1"=="" goto checked
if "%~1"=="--help" goto help
if "%~1"=="-h" goto help
if "%~1"=="--prebuilt" goto flag_compile
if "%~1"=="--assemble" goto flag_source
if "%~1"=="--push" goto flag_push
if "%~1"=="--dry-run" goto flag_dry_run
if "%~1"=="--tag" goto take_tag
if "%~1"=="--registry" goto take_registry
set "KNOWN=no"
for %%N in (%ALL_IMAGES%) do if "%%N"=="%~1" set "KNOWN=yes"
if "%KNOWN%"=="no" echo error: unknown option or image %~1, see --help 1>&2
if "%KNOWN%"=="no" exit /b 1
set "NAMES=%NAMES% %~1"
shift
goto arguments

:flag_compile
set "COMPILE=yes"
shift
goto arguments

:flag_source
set "SOURCE=prebuilt"
shift
goto arguments

:flag_push
set "PUSH=yes"
shift
goto arguments

:flag_dry_run
set "DRY_RUN=yes"
shift
goto arguments

:take_tag
call "%LIB%" :value %1 %2
if not "%RC%"=="0" exit /b 1
set "TAG=%~2"
shift
shift
goto arguments

:take_registry
call "%LIB%" :value %1 %2
if not "%RC%"=="0" exit /b 1
set "REGISTRY=%~2"
if not "%REGISTRY:~-1%"=="/" set "REGISTRY=%REGISTRY%/"
shift
shift
goto arguments

:help
echo Usage: scripts\docker-build.bat [OPTION] [IMAGE...]
echo.
echo Builds the images bizosaas/identity, ai-orchestrator, chatbot, crm, analytics and bizosaas/bizosaas (the operator's), or only
echo those named. Safe to repeat: what did not change is not built again.
echo.
echo   --prebuilt       compile on this machine with cargo (cached in target/), then only assemble: seconds an image.
echo                    Without it everything compiles inside the builder, which needs nothing but docker.
echo   --assemble       as --prebuilt, with the binaries that are in dist/ already
echo   --tag TAG        default: the version in Cargo.toml
echo   --registry NAME  put before the names, such as registry.example
echo   --push           push what was built
echo   --dry-run        say what would run
echo   --help
echo.
echo STATIC_IMAGE, RUST_IMAGE and POSTGRES_IMAGE replace the base images; `docker/local-base/make.sh` makes stand-ins for them
echo where no registry can be reached. For amd64 and arm64 at once: docker buildx bake -f docker/bake.hcl (see docker/README.md).
echo Exit code 0 when every image was built.
exit /b 0

:checked
pushd "%REPO%"
call "%LIB%" :make_scratch
call :main
if errorlevel 1 goto ended_badly
call "%LIB%" :clean_up
popd
exit /b 0

:ended_badly
call "%LIB%" :clean_up
popd
exit /b 1

:main
if "%COMPILE%"=="yes" echo error: --prebuilt compiles for Linux, which cargo on Windows does not: leave it out, or build in WSL 1>&2
if "%COMPILE%"=="yes" exit /b 1
if "%NAMES%"=="" set "NAMES=%ALL_IMAGES%"
call "%~dp0lib-docker.bat" :version
if errorlevel 1 exit /b 1
if "%TAG%"=="" set "TAG=%VERSION%"
call "%~dp0lib-docker.bat" :need_engine
if errorlevel 1 exit /b 1
call :find_revision
set "FAILED=no"
for %%N in (%NAMES%) do call :build %%N
if "%FAILED%"=="yes" exit /b 1
if "%PUSH%"=="yes" for %%N in (%NAMES%) do call :push %%N
if "%FAILED%"=="yes" exit /b 1
if "%DRY_RUN%"=="yes" exit /b 0
call docker image ls --filter "reference=%REGISTRY%bizosaas/*:%TAG%" --format "  {{.Repository}}:{{.Tag}}  {{.Size}}"
exit /b 0

rem The commit, marked when what is built is not exactly it.
:find_revision
set "REVISION=unknown"
where git >nul 2>nul
if errorlevel 1 exit /b 0
call git rev-parse HEAD >"%SCRATCH%\answer" 2>nul
if errorlevel 1 exit /b 0
set /p "REVISION=" <"%SCRATCH%\answer"
call git diff --quiet HEAD 2>nul
if errorlevel 1 set "REVISION=%REVISION%-modified"
exit /b 0

:build
if "%FAILED%"=="yes" exit /b 0
call "%LIB%" :change docker build --file docker/Dockerfile --target %~1 --tag "%REGISTRY%bizosaas/%~1:%TAG%" --build-arg "SOURCE=%SOURCE%" --build-arg "STATIC_IMAGE=%STATIC_IMAGE%" --build-arg "RUST_IMAGE=%RUST_IMAGE%" --build-arg "POSTGRES_IMAGE=%POSTGRES_IMAGE%" --build-arg "VERSION=%TAG%" --build-arg "REVISION=%REVISION%" .
if errorlevel 1 set "FAILED=yes"
exit /b 0

:push
if "%FAILED%"=="yes" exit /b 0
call "%LIB%" :change docker push "%REGISTRY%bizosaas/%~1:%TAG%"
if errorlevel 1 set "FAILED=yes"
exit /b 0
