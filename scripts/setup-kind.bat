@echo off
rem The platform in a kind cluster. See --help. The same as setup-kind.sh, for Windows 10 and newer.
setlocal
set "LIB=%~dp0lib-deploy.bat"
call "%LIB%" :defaults
set "TAG="
set "LOAD=yes"
set "DEPLOY="
set "CLUSTER=bizosaas"

:arguments
if "%~1"=="" goto checked
if "%~1"=="--help" goto help
if "%~1"=="-h" goto help
if "%~1"=="--no-load" goto take_load
if "%~1"=="--context" echo error: unknown option --context, see --help 1>&2
if "%~1"=="--context" exit /b 2
if "%~1"=="--host" echo error: unknown option --host, see --help 1>&2
if "%~1"=="--host" exit /b 2
if "%~1"=="--cluster" goto take_cluster
if "%~1"=="--tag" goto take_tag
if "%~1"=="--values" goto take_values
if "%~1"=="-f" goto take_values
call "%LIB%" :option %1 %2
if not "%RC%"=="0" exit /b 2
shift
if "%USED%"=="2" shift
goto arguments

:take_load
set "LOAD=no"
shift
goto arguments

:take_cluster
call "%LIB%" :value %1 %2
if not "%RC%"=="0" exit /b 2
set "CLUSTER=%~2"
shift
shift
goto arguments

:take_tag
call "%LIB%" :value %1 %2
if not "%RC%"=="0" exit /b 2
set "TAG=%~2"
shift
shift
goto arguments

:take_values
call "%LIB%" :value %1 %2
if not "%RC%"=="0" exit /b 2
set "DEPLOY=%DEPLOY% --values "%~2""
shift
shift
goto arguments

:help
echo Usage: scripts\setup-kind.bat [OPTION]
echo.
echo Creates a kind cluster whose NodePorts 30100-30105 answer on this machine (or reuses it), loads the images into it without
echo a registry, installs the chart and asks every service for its health. Needs docker, kind, kubectl and helm. Safe to repeat.
echo.
echo   --cluster NAME     default bizosaas
echo   --tag TAG          tag of the images (default: the chart's version of the platform)
echo   --values FILE      values for the chart; may be repeated
echo   --no-load          the cluster pulls the images from a registry
echo   --namespace NAME   default bizosaas-dev
echo   --release NAME     default bizosaas
echo   --timeout SECONDS  longest wait for each step (default 900)
echo   --dry-run          print what would be changed
echo   --yes              ask nothing
echo   --help
exit /b 0

:checked
call :main
if errorlevel 1 goto ended_badly
call "%LIB%" :clean_up
exit /b 0

:ended_badly
call "%LIB%" :clean_up
exit /b 1

:main
set "CONTEXT=kind-%CLUSTER%"
set "NODE=localhost"
call "%LIB%" :need docker https://docs.docker.com/desktop/
if errorlevel 1 exit /b 1
call "%LIB%" :need kind https://kind.sigs.k8s.io/docs/user/quick-start/
if errorlevel 1 exit /b 1
call "%LIB%" :need helm https://helm.sh/docs/intro/install/
if errorlevel 1 exit /b 1
call "%LIB%" :need kubectl https://kubernetes.io/docs/tasks/tools/
if errorlevel 1 exit /b 1
call docker info >nul 2>nul
if errorlevel 1 echo error: docker does not answer: start Docker Desktop 1>&2
if errorlevel 1 exit /b 1
call "%~dp0lib-cluster.bat" :find_images
if errorlevel 1 exit /b 1
call "%LIB%" :make_scratch
call kind get clusters >"%SCRATCH%\clusters" 2>nul
set "EXISTS=no"
for /f "usebackq tokens=1" %%C in ("%SCRATCH%\clusters") do call :known %%C
if "%EXISTS%"=="yes" goto reuse
call "%LIB%" :change kind create cluster --name %CLUSTER% --config "%~dp0manifests\kind.yaml" --wait %TIMEOUT%s
if errorlevel 1 exit /b 1
goto load

:reuse
echo the cluster %CLUSTER% exists
call docker port %CLUSTER%-control-plane 30101/tcp >nul 2>nul
if errorlevel 1 echo error: the cluster %CLUSTER% does not pass the NodePorts on, and kind cannot add ports: use --cluster with another name, or kind delete cluster --name %CLUSTER% 1>&2
if errorlevel 1 exit /b 1

:load
if "%LOAD%"=="yes" call :load_images
if errorlevel 1 exit /b 1
call "%~dp0lib-cluster.bat" :deploy
if errorlevel 1 exit /b 1
exit /b 0

rem One platform of each image: of one that was pulled for several, Docker may have the index and one platform only, and
rem what the index names would be missing in the cluster. Docker before 28 has no such option, and no need of it.
:load_images
set "PLATFORM="
call docker save --help >"%SCRATCH%\answer" 2>nul
"%FIND%" "--platform" <"%SCRATCH%\answer" >nul
if not errorlevel 1 call :find_platform
call "%LIB%" :change docker save %PLATFORM% --output "%SCRATCH%\images.tar" %IMAGES%
if errorlevel 1 exit /b 1
call "%LIB%" :change kind load image-archive "%SCRATCH%\images.tar" --name %CLUSTER%
if errorlevel 1 exit /b 1
exit /b 0

:find_platform
call docker version --format "{{.Server.Os}}/{{.Server.Arch}}" >"%SCRATCH%\answer"
set /p "PLATFORM=" <"%SCRATCH%\answer"
set "PLATFORM=--platform %PLATFORM%"
exit /b 0

:known
if "%~1"=="%CLUSTER%" set "EXISTS=yes"
exit /b 0
